"""Where the reader is, what is next, what again: the magics in a shell, on a course of two."""

import pytest

from workbook.learning import copies, course, reset

from .conftest import ANSWERS, LOAD, SECOND

# Where am I


@pytest.mark.parametrize(
    "name",
    ["04_counting.ipynb", "04_counting-Copy1.ipynb", "04_counting.before_update.ipynb"],
)
def test_the_first_cell_says_which_chapter_this_is(notebook, monkeypatch, name):
    monkeypatch.setenv("JPY_SESSION_NAME", f"C:\\lessons\\mine\\{name}")
    assert notebook(LOAD).strip() == (
        "04 · Counting (chapter 1 of 2) · exercises 0 of 2 · guesses right 0 of 2 · "
        "all chapters, or `%progress`"
    )


def test_the_header_counts_what_was_done(chapter, store):
    chapter.solve("4.2")
    chapter("%guess 1\nProduct.objects.count()")
    chapter("products = Product.objects.order_by('pk')\ntwo = products[:2]")
    chapter("%guess 1\nfor product in two:\n    product.category.name")
    again = chapter(LOAD)
    assert "exercises 1 of 2 · guesses right 1 of 2" in again
    assert "already loaded" not in again


def test_vs_code_says_it_in_the_namespace(notebook):
    notebook("__vsc_ipynb_file__ = 'c:\\\\Users\\\\me\\\\mine\\\\05_sums.ipynb'")
    assert "05 · Summing up (chapter 2 of 2)" in notebook(LOAD)


def test_an_editor_that_says_nothing_is_known_by_its_first_cell(notebook):
    assert "05 · Summing up" in notebook(SECOND["load"].removeprefix("!"))


def test_a_notebook_of_the_readers_own_has_no_header(notebook, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "mine.ipynb")
    assert notebook(LOAD).strip() == ""


def test_where_progress_is_not_kept_there_is_no_header(notebook, settings, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "04_counting.ipynb")
    settings.WORKBOOK = settings.WORKBOOK | {"PROGRESS": ""}
    assert notebook(LOAD).strip() == ""
    assert "right" in notebook.solve("4.1")
    assert notebook.solve("4.2").count("\n") > 3


def test_the_first_cell_says_that_the_shop_was_changed(notebook, settings, monkeypatch):
    settings.WORKBOOK = settings.WORKBOOK | {"SHOP": "seed.state"}
    monkeypatch.setattr("seed.state.changes", lambda: "Half of the customers are gone.")
    assert (
        notebook(LOAD)
        .strip()
        .endswith("Half of the customers are gone. `%reset shop` puts it back.")
    )


def test_the_map_names_every_chapter_and_the_next_step(chapter, store):
    chapter.solve("4.1")
    chapter("%exercise 4.2\n['Tea']")
    chapter("%hint 4.2")
    lines = chapter("%progress").strip().splitlines()
    assert lines[0] == "1 of 3 exercises solved · guesses right 0 of 2 · 2 attempts · 1 hint"
    assert "| 04 · Counting | 1 of 2 | ✓\xa0★ · ✗\xa0★★ (1 hint) |" in lines
    assert "| 05 · Summing up | 0 of 1 | ○\xa0★ |" in lines
    assert lines[-1] == "Next: exercise 4.2 of 04 · Counting, `%next`."
    assert "[04 · Counting](../notebooks/04_counting.ipynb)" in chapter.markdown("%progress")


def test_links_lead_to_the_readers_copies(chapter, folder):
    copies.refresh(folder / "notebooks", folder / "mine")
    assert "[05 · Summing up](05_sums.ipynb)" in chapter.markdown("%progress")


def test_one_chapter_is_shown_exercise_by_exercise(chapter):
    chapter("%hint 4.2")
    chapter.solve("4.2")
    said = chapter("%progress 4")
    assert "| ✓ 4.2 ★★ | The names of all categories, A to Z, as a list of text. Leave … |" in said
    assert "| 1 | 1 | today |" in said
    assert "There is no chapter 9. There are 4, 5." in chapter("%progress 9")


def test_the_last_exercise_of_a_chapter_says_so(chapter):
    assert "all 2 exercises" not in chapter.solve("4.1")
    said = chapter.solve("4.2")
    assert "04 · Counting: all 2 exercises solved." in said
    assert "You can now count rows, and know what that costs. Next: 05 · Summing up." in said
    assert "all 2 exercises" not in chapter.solve("4.2")


# What is next


def test_next_shows_the_task_and_writes_its_cell(chapter):
    chapter.solve("4.1")
    said = chapter("%next")
    assert "4.2 ★★ · 04 · Counting" in said
    assert "mind the order" in said
    assert chapter.next_cell == (
        "%exercise 4.2\n"
        "# The names of *all* categories, A to Z, as a list of text. Leave nothing out, and mind\n"
        "# the order, which is by name:\n#\n# names = [...]\n..."
    )
    assert "not attempted" in chapter(chapter.next_cell)


def test_the_cell_that_next_writes_can_be_solved_in_any_notebook(notebook, monkeypatch):
    notebook("%load_ext workbook\nProduct = 'mine'")
    notebook("%next 5")
    assert "✓ 5.1 · right" in notebook(notebook.next_cell.replace("...", ANSWERS["5.1"]))
    assert notebook.shell.user_ns["Product"] == "mine"


def test_after_this_chapter_the_next_one_comes_then_what_was_left_out(chapter):
    chapter.solve("4.2")
    chapter("%next 5")
    chapter.solve("5.1")
    chapter("%next")
    assert chapter.next_cell.startswith("%exercise 4.1")
    chapter.solve("4.1")
    assert "Every exercise is solved." in chapter("%next")
    assert chapter.next_cell == ""


# What again


def test_a_solved_exercise_comes_back(chapter, day, store):
    assert "There is nothing to review yet." in chapter("%review")
    chapter.solve("4.1")
    assert "The next review is tomorrow" in chapter("%review")
    for days, comes_back in ((1, "on 5 March"), (3, "on 12 March")):
        day.go(days)
        assert "Review · 1 thing today" in chapter("%review")
        assert chapter.next_cell == "%exercise 4.1\n# How many products are there?\n..."
        assert f"It comes back {comes_back}." in chapter.solve("4.1")


def test_a_wrong_answer_in_a_review_leaves_it_due(chapter, day):
    chapter.solve("4.1")
    day.go(1)
    chapter("%review")
    chapter("%exercise 4.1\n0")
    assert "Review · 1 thing today" in chapter("%review")


def test_review_gives_something_else_when_asked_again(chapter, day):
    chapter.solve("4.1")
    chapter.solve("4.2")
    day.go(1)
    chapter("%review")
    first = chapter.next_cell
    chapter("%review")
    assert {first[:13], chapter.next_cell[:13]} == {"%exercise 4.1", "%exercise 4.2"}


def test_an_exercise_that_is_gone_is_not_asked_and_not_forgotten(chapter, day, store):
    store.attempt("4.9", passed=True)
    store.attempt("77.1", passed=True)
    day.go(1)
    assert "nothing to review" in chapter("%review")
    assert store.entry("4.9").passed


def test_a_wrong_guess_comes_back_in_any_notebook(notebook, day, store):
    notebook("%load_ext workbook")
    store.guess("04/04cell4", 1, 3)
    assert "The next review is tomorrow" in notebook("%review")
    day.go(1)
    said = notebook("%review")
    assert "How many queries does it run? · 04 · Counting" in said
    assert notebook.next_cell == "%guess ...\nfor product in two:\n    product.category.name"
    assert "3 queries · you guessed 3 ✓" in notebook(notebook.next_cell.replace("...", "3"))
    assert "nothing to review" in notebook("%review")


def test_guesses_in_cells_of_the_readers_own_are_not_kept(chapter, store):
    chapter("%guess 7\nProduct.objects.first()")
    assert store.state().guesses == {}


# Back to the start


def test_reset_says_what_there_is_and_leaves_ipythons_own_alone(chapter):
    assert "%reset shop, %reset chapter or %reset progress" in chapter("%reset")
    assert "%reset shop, %reset chapter or %reset progress" in chapter("%reset everything yes")
    chapter("mine = 1")
    chapter("%reset -f")
    assert "mine" not in chapter.shell.user_ns


def test_reset_progress_of_a_chapter(chapter, store):
    chapter.solve("4.1")
    chapter("%exercise 4.2\n[]")
    chapter("%guess 1\nProduct.objects.count()")
    chapter("%next 5")
    chapter.solve("5.1")
    said = chapter("%reset progress 4")
    assert "`%reset progress 4 yes` forgets 1 solved exercise, 2 attempts and 1 guess of" in said
    assert store.entry("4.1").passed
    chapter("%reset progress 4 yes")
    assert set(store.read()) == {"5.1"}
    assert store.state().guesses == {}
    chapter("%reset progress yes")
    assert store.read() == {}


def test_reset_chapter_keeps_the_old_file(chapter, folder):
    copies.refresh(folder / "notebooks", folder / "mine")
    copy = folder / "mine" / "04_counting.ipynb"
    fresh = copy.read_text()
    copy.write_text(fresh.replace("# Counting", "# Mine"))
    assert "`%reset chapter yes`" in chapter("%reset chapter")
    assert "# Mine" in copy.read_text()
    said = chapter("%reset chapter yes")
    assert "04_counting.before_reset.ipynb" in said
    assert "Reload Notebook from Disk" in said
    assert copy.read_text() == fresh
    assert "# Mine" in (folder / "mine" / "04_counting.before_reset.ipynb").read_text()
    assert "This notebook is no chapter" not in chapter("%reset chapter 5 yes")


def test_reset_chapter_outside_a_chapter_asks_for_a_number(notebook):
    notebook("%load_ext workbook")
    assert "Name one: %reset chapter 7" in notebook("%reset chapter yes")


def test_reset_shop_is_for_projects_that_say_how(chapter):
    assert "name nothing that resets" in chapter("%reset shop yes")


def test_reset_shop_does_not_end_the_readers_transaction(chapter, settings, monkeypatch):
    settings.WORKBOOK = settings.WORKBOOK | {"SHOP": "seed.state"}
    monkeypatch.setattr(reset.shop(), "reset", lambda: pytest.fail("the shop was reset"))
    assert "in a cell of its own" in chapter("%rollback\n%reset shop yes")


# Unloading


def test_unloading_and_loading_again(chapter, store):
    chapter("%unload_ext workbook")
    assert "1 query" not in chapter("Product.objects.count()")
    assert "04 · Counting" in chapter(LOAD)
    chapter("%guess 1\nProduct.objects.count()")
    assert store.state().guesses["04/04cell5"].right


def test_a_project_without_chapters_still_shows_what_is_solved(chapter, settings):
    del settings.WORKBOOK["CHAPTERS"]
    course.here = None
    chapter.solve("4.1")
    assert "1 of 3 exercises solved" in chapter("%progress")
    assert "There are no chapters here" in chapter("%next")
