"""A server as the terminal tells it."""

from backups.models import Server


def state_of(server: Server) -> str:
    return "is live" if server.is_live else f"is not live: {server.reason}"


def facts_of(server: Server) -> dict[str, object]:
    return {
        "name": server.name,
        "status": str(server.status),
        "reason": server.reason,
        "url": server.url,
        "image": server.image,
        "data_directory": server.data_directory,
        "is_append_only": server.is_append_only,
        "has_private_repositories": server.has_private_repositories,
        "has_tls": server.has_tls,
        "tls_min_version": server.tls_min_version,
        "has_prometheus": server.has_prometheus,
        "has_access_log": server.has_access_log,
        "max_size": server.max_size,
        "memory_limit": server.memory_limit,
        "restart_policy": server.restart_policy,
        "uid": server.uid,
        "gid": server.gid,
        "proxy_header": server.proxy_header,
        "selinux_label": server.selinux_label,
        "other_options": server.extra_options,
        "engine": server.engine,
        "is_adopted": server.is_adopted,
        "drift": server.drift,
        "seen": server.seen,
        "live_since": server.live_since,
        "proven": server.proven,
    }
