"""What a contract rewards day by day, without a run."""
