"""What happens in a run: who speaks, fails, roams or attacks, as a scenario asked."""
