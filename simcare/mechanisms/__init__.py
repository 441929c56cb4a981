"""What cost moved by: mechanisms switched on and off, and each one's Shapley share."""
