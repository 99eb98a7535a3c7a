"""Checks `terraform/` without Terraform and without a cloud.

    layout.py         the text, as `terraform fmt` would leave it
    configuration.py  the files, as a tree of blocks (syntax) and as values (evaluated)
    schema.py         the Google provider's schema, cut out of the wheel of its CDK bindings
    check.py          the tree and the values against the schema; references that lead nowhere

Run `python -m tools.terraform_check` for the problems of `terraform/`, with `--write` to lay the
files out anew, with `--schema <wheel or folder>` to cut the schema out again.
"""
