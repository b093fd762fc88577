"""Routes: each file states the model in one library and registers itself."""
