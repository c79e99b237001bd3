"""The live screen of a queue: what it shows, how keys change it, and how it is drawn."""
