"""Many runs: their tasks, who does them, the database of their rows, and what those show."""
