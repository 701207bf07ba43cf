def figures_today(study):
    return study.figures_today
