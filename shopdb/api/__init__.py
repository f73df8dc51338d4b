"""The shop's JSON API: a request comes in, JSON of the signed-in user's own rows goes out.

Read views.py first; filters.py reads the query string, bodies.py the JSON that was sent, and
serialize.py turns rows into JSON.
"""
