"""How systemd ends a service, or does not begin it: in words, with what helps."""

# systemd.exec(5), "Process exit codes": the command was never started.
NOT_STARTED = {
    200: ("its working directory cannot be entered", "WorkingDirectory="),
    203: ("its program cannot be executed", "ExecStart="),
    205: ("a limit cannot be set", "the Limit… lines"),
    206: ("its OOM score cannot be set", "OOMScoreAdjust="),
    208: ("its standard input cannot be set up", "StandardInput="),
    209: ("its standard output cannot be set up", "StandardOutput="),
    214: ("its scheduling cannot be set", "CPUSchedulingPolicy="),
    216: ("its group does not exist", "Group="),
    217: ("its user does not exist", "User="),
    218: ("its capabilities cannot be set", "CapabilityBoundingSet= and AmbientCapabilities="),
    219: ("its control group cannot be set up", "Slice= and Delegate="),
    226: (
        "its namespaces cannot be set up",
        "whether every path in its …Paths= lines exists",
    ),
    227: ("new privileges cannot be forbidden", "NoNewPrivileges="),
    228: ("its system call filter cannot be applied", "SystemCallFilter="),
    233: ("its runtime directory cannot be made", "RuntimeDirectory="),
    238: ("its state directory cannot be made", "StateDirectory="),
    239: ("its cache directory cannot be made", "CacheDirectory="),
    240: ("its log directory cannot be made", "LogsDirectory="),
    243: ("its credentials cannot be read", "LoadCredential= and the file that it names"),
}

SYSTEMD_FAILURES = {
    "timeout": (
        "systemd stopped the run at its time limit.",
        "Raise `TimeoutStartSec=` of the unit, or find out what made the run slow.",
    ),
    "oom-kill": (
        "The kernel killed the run because memory ran out.",
        "Give the host or the unit more memory, or set `GOGC=20` for restic.",
    ),
    "watchdog": (
        "systemd stopped the run because its watchdog was not fed.",
        "Remove `WatchdogSec=` from the unit: restic does not feed one.",
    ),
    "start-limit-hit": (
        "systemd did not start the run: the unit failed too often in a short time.",
        "Repair what failed before, then `systemctl reset-failed` on this host.",
    ),
    "resources": (
        "systemd could not start the run.",
        "See the unit's journal on this host for what was missing.",
    ),
    "core-dump": (
        "restic crashed.",
        "See `coredumpctl` on this host; a newer restic may know the problem.",
    ),
}
