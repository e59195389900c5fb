"""The words of a scenario: what its tables may say, and how quantities are written."""
