"""What is wanted: loading, validating and editing manifests."""
