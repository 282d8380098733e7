"""Charging stations as a CSMS sees them: real websockets, own protocol code, against any CSMS.

Independent software: it knows nothing of the daemon's rooms, so that a mistake there is not repeated here.
"""
