"""The path of an outcome to detection, notifications and the stores."""
