"""Smart charging: what profiles may say, what is installed where, what holds, and what cars ask for."""
