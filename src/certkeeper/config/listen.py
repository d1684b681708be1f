"""HTTP_LISTEN and TLS_ALPN_LISTEN: where a run answers by itself; `address:port …`, or `:port` for all addresses."""

import ipaddress

from certkeeper.base.errors import printable
from certkeeper.config.hosts import BadHost, split_port
from certkeeper.config.settings import ServerAddress
from certkeeper.config.values import Values


def listen_addresses(values: Values, name: str, port: int) -> tuple[ServerAddress, ...]:
    """The addresses, each once; a host that is empty stands for all that this machine has.

    Raises:
        ConfigError: what is no address, or a host name: it may lead to another machine tomorrow.
    """
    return tuple(dict.fromkeys(_address(values, name, word, port) for word in values.text(name).split()))


def _address(values: Values, name: str, word: str, port: int) -> ServerAddress:
    hint = f'write {name}=":{port}", or "192.0.2.1:{port} [2001:db8::1]:{port}"'
    everywhere = word.startswith((":", "*:")) and word.count(":") == 1
    try:
        host, number = split_port(f"0.0.0.0:{word.partition(':')[2]}" if everywhere else word, port)
        ipaddress.ip_address(host)
    except (BadHost, ValueError) as error:
        raise values.error(name, f"{printable(word, 80)}: {error}", hint) from error
    return ServerAddress("" if everywhere else host, number)
