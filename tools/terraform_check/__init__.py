"""Checks `terraform/` without Terraform and without a cloud.

    layout.py         the text, as `terraform fmt` formats it
    configuration.py  the files, as a tree of blocks (syntax) and as values (evaluated)
    schema.py         the Google provider's schema, extracted from the wheel of its CDK bindings
    check.py          checks the tree and the values against the schema; finds dangling references

`python -m tools.terraform_check` prints the problems in `terraform/`. With `--write` it formats the
files; with `--schema <wheel or folder>` it extracts the schema again.
"""
