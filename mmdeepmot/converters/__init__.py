"""From other projects' annotation files to the two forms that this project reads.

A reader (a module for each format) gives a :class:`~mmdeepmot.converters.source.SourceSet`; a plan
(:mod:`~mmdeepmot.converters.planning`) says which files it becomes, as list files with
``labels_with_ids`` or as MOTChallenge folders; :mod:`~mmdeepmot.converters.write` makes those that
are not there yet; :mod:`~mmdeepmot.converters.report` counts. Nothing here imports torch, but
for the reader of MOTChallenge folders, which exists already as a data set.
"""
