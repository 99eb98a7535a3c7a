"""A model of the world around a run: files, processes, Google, and what must hold of all of it.

    files       what a file says of its sales
    processes   a process, and what can happen to it between storage and an API
    google      what Google has of each conversion, behind both of its APIs
    platform    starts processes: events and their redelivery, sweeps, and a clock that jumps
    history     what happens to files, step by step
    oracle      what must hold, read from Google's side and the results
    told        what somebody must hear of, and what not

It knows nothing of the code but its ports, the documents of results, when a run is due, and what is
logged, so that it outlives what it tests.
"""
