"""Checks `terraform/` without Terraform and without a cloud.

    formatter.py      the layout, by `terraform fmt`, if there is one
    configuration.py  the files, as a tree of blocks (syntax) and as values (evaluated)
    schema.py         the providers' schemas, extracted from the wheels of their CDK bindings
    check.py          checks the tree and the values against the schemas; finds dangling references
    rules.py          mistakes that only a later apply or CI would show
    readme.py         the tables of terraform/README.md, in the format of terraform-docs
    example.py        the root in terraform/examples/complete, which follows from the module
    log_filter.py     filters of Cloud Logging, as functions of log entries

`python -m tools.terraform_check` prints the problems in `terraform/`. With `--write` it writes the
example and the README, and formats the files; with `--schema <wheel>...` it extracts the schemas
again.
"""
