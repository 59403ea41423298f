from spinexplain.app.pages import page_environment, shared_style


def test_templates_of_the_report_are_found_below_our_own():
    environment = page_environment()
    assert environment.get_template("card.html.j2")
    assert environment.get_template("scan.html.j2")
    assert environment.autoescape is True


def test_no_template_holds_a_script_or_a_handler():
    from importlib import resources

    for path in (resources.files("spinexplain.app") / "templates").iterdir():
        if path.name == "reading_page.html.j2":  # printed, never sent as a page
            continue
        text = path.read_text()
        assert "onclick" not in text, path.name
        assert "<style" not in text, path.name
        for part in text.split("<script")[1:]:
            assert part.startswith(" src="), path.name


def test_the_style_is_the_reports():
    assert "--grade-g3" in shared_style()
