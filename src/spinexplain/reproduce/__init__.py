"""The studies behind the pages of the documentation: what is measured, from drawing to figures.

Each study takes a :class:`~spinexplain.reproduce.setting.Setting` and writes its results as
JSON; docs/writers turns results into pages.
"""
