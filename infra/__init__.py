"""What runs beside the functions: staging, deployment and the local run."""
