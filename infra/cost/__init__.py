"""What Baton costs on Google Cloud, from counted operations and dated prices."""
