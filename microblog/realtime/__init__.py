"""Live delivery within a process: one tail reads the log, the hub knows who listens to what, and
replay reads for one listener what the ring no longer holds.
"""
