"""The `pantau` commands, a file each; thin."""
