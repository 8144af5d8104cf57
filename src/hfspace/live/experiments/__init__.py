"""The experiments of a Space, by its id: where its app is, and what it keeps of what a manifest declares."""
