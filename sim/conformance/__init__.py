"""The judge: one case per clause and class of stimulus, for any translator, in virtual time."""
