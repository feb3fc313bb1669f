"""Variables of an environment that are no config of the service that has them."""

from typing import Final

#: Of the machine, as an image has it, whatever anybody configured for the service.
OF_THE_MACHINE: Final = frozenset({"PATH", "LANG", "LANGUAGE"})
_OF_NO_SERVICE: Final = frozenset(
    {
        *("HOME", "USER", "LOGNAME", "SHELL", "MAIL", "HOSTNAME", "TERM", "_", "PWD", "OLDPWD", "SHLVL"),
        *("INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MAINPID", "NOTIFY_SOCKET"),
        *("WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"),
        *("MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE", "LS_COLORS", "DBUS_SESSION_BUS_ADDRESS"),
    }
)
#: Of a session, and functions of a shell.
_STARTS: Final = ("SSH_", "XDG_SESSION_", "SUDO_", "BASH_FUNC_")


def is_of_no_service(name: str) -> bool:
    """Tell whether a variable belongs to a user, to one start or to one session."""
    return name in _OF_NO_SERVICE or name.startswith(_STARTS)
