def groups_of(study, columns, **_):
    return study.by_group(columns)


def with_groups(study, groups):
    return study.with_groups(groups)
