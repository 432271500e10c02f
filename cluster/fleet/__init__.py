"""The fleet: load agents on many hosts, or in this process, behind one interface."""
