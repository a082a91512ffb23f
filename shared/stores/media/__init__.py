"""Where files of conversations are kept: a Cloud Storage bucket, or a directory on one machine."""
