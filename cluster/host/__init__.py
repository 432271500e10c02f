"""Hosts: run, put and get on this machine or over SSH, and what is known about them."""
