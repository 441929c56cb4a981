"""What is paid, by whom and when, and how contracts are gamed."""
