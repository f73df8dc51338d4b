"""The learner's loop: your own copies of the chapters, where you are, what is next, what again.

Chapters and progress come in; notebooks to work in, and sentences about the way, go out. Read
course.py first.
"""
