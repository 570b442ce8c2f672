"""What a pipeline costs and gives: latency, speed, memory, disk and F1, each in a fresh process.

`measure.profile` measures, `report.write_report` writes. This module imports nothing, because the
measured processes import it before the clock starts.
"""
