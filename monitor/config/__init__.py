"""The only reader of YAML files and of the environment. Frozen values or a ConfigError: never half a config.

load(path) -> Config           sources.yaml and what it includes, checked whole
settings() -> Settings         the MUBIAO_ variables; secret(name) when a message is sent
vocabulary() -> Vocabulary     the product's own data files
schema(), init_text()          for editors, and what `mubiao init` writes
"""

from monitor.config.data_files import init_text, vocabulary
from monitor.config.environment import Settings, chromium, secret, settings, variables
from monitor.config.keys import schema
from monitor.config.reading import load

__all__ = [
    "Settings",
    "chromium",
    "init_text",
    "load",
    "schema",
    "secret",
    "settings",
    "variables",
    "vocabulary",
]
