def null(options, figures): pass
