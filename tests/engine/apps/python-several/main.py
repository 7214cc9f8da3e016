from importlib.metadata import version

import click
import flask

click.echo(flask.Flask(__name__).name)
print([version(name) for name in ("flask", "click", "setuptools", "jinja2")])
