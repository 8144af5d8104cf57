"""What is there: typed ports to the Hub and to apps, and their adapters."""
