"""allocsafe: can anything read memory that nothing has written yet?"""

__version__ = "0.1.0"
