"""The findings: figures, tables and one page, drawn from runs on disk and from nothing else."""
