"""Every page of the board, with its address and what renders it."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from shipworthy.board import account, admin, overriding
from shipworthy.board.ask import export_answer, save_question, show_ask
from shipworthy.board.asking import ask_to_move_on, run_verb
from shipworthy.board.board import show_board, show_cards, show_more, show_projects
from shipworthy.board.edit import show_edit, write_edit
from shipworthy.board.feed import show_feed
from shipworthy.board.idea import show_idea, show_pictures, show_report
from shipworthy.board.job import end_job, show_job
from shipworthy.board.ledger import export_ledger, show_ledger, show_ledger_reading
from shipworthy.board.look import choose_look
from shipworthy.board.new_idea import advise, show_new_idea, write_new_idea
from shipworthy.board.problem import show_health, show_problem, show_problem_reading, show_problems
from shipworthy.board.programme import show_backlog, show_programme, show_programme_of_all
from shipworthy.board.rendering import FILES, refuse
from shipworthy.board.rollout import move_rollout, show_rollout, show_rollout_reading, show_rollouts
from shipworthy.board.standup import show_standup, show_standup_of_all
from shipworthy.board.static_files import KeptFiles
from shipworthy.board.talk import take_signature_back, write_comment, write_signature
from shipworthy.web.asked import Handler, door


def routes() -> list[BaseRoute]:
    """The pages' routes."""
    return [
        _page("/", show_projects),
        _form("/look", choose_look),
        _page(account.PAGE, account.show_account),
        _form("/account/password", account.write_password),
        _form("/account/sessions", account.write_end),
        _form("/account/tokens", account.write_token),
        _form("/account/tokens/revoke", account.write_revocation),
        _page("/projects/{project}/", show_board),
        _page("/projects/{project}/more", show_more),
        _page("/projects/{project}/cards", show_cards),
        _page("/projects/{project}/feed", show_feed),
        _form("/projects/{project}/ideas/{number}/ask", ask_to_move_on),
        _form("/projects/{project}/ideas/{number}/run/{verb}", run_verb),
        _page("/projects/{project}/ideas/new", show_new_idea),
        _form("/projects/{project}/ideas/new", write_new_idea),
        _form("/projects/{project}/ideas/advice", advise),
        _page("/projects/{project}/ideas/{number}", show_idea),
        _page("/projects/{project}/ideas/{number}/edit", show_edit),
        _form("/projects/{project}/ideas/{number}/edit", write_edit),
        _form("/projects/{project}/ideas/{number}/comment", write_comment),
        _form("/projects/{project}/ideas/{number}/sign", write_signature),
        _form("/projects/{project}/ideas/{number}/unsign", take_signature_back),
        _page("/projects/{project}/ideas/{number}/pictures", show_pictures),
        _page("/projects/{project}/ideas/{number}/report", show_report),
        _form("/projects/{project}/ideas/{number}/override", overriding.ask),
        _form("/projects/{project}/ideas/{number}/override/second", overriding.second),
        _page("/projects/{project}/jobs/{id}", show_job),
        _form("/projects/{project}/jobs/{id}/end", end_job),
        _page("/projects/{project}/problems", show_problems),
        _page("/projects/{project}/problems/{problem}", show_problem),
        _page("/projects/{project}/problems/{problem}/reading", show_problem_reading),
        _page("/projects/{project}/problems/{problem}/health", show_health),
        _page("/projects/{project}/rollouts", show_rollouts),
        _page("/projects/{project}/rollouts/{problem}", show_rollout),
        _page("/projects/{project}/rollouts/{problem}/reading", show_rollout_reading),
        _form("/projects/{project}/rollouts/{problem}/{button}", move_rollout),
        _page("/projects/{project}/ledger", show_ledger),
        _page("/projects/{project}/ledger/reading", show_ledger_reading),
        _page("/projects/{project}/ledger.{ending}", export_ledger),
        _page("/projects/{project}/programme", show_programme),
        _page("/projects/{project}/programme/reading", show_programme),
        _page("/projects/{project}/backlog", show_backlog),
        _page("/projects/{project}/backlog/reading", show_backlog),
        _page("/projects/{project}/standup", show_standup),
        _page("/projects/{project}/standup/reading", show_standup),
        _page("/programme", show_programme_of_all),
        _page("/programme/reading", show_programme_of_all),
        _page("/standup", show_standup_of_all),
        _page("/standup/reading", show_standup_of_all),
        _page("/projects/{project}/ask", show_ask),
        _page("/projects/{project}/ask.csv", export_answer),
        _form("/projects/{project}/ask/save", save_question),
        _page("/admin/accounts", admin.show_accounts),
        _form("/admin/accounts", admin.add_account),
        _form("/admin/accounts/{login}/{what}", admin.edit_account),
        _page("/admin/audit", admin.show_audit),
        _page("/admin/audit.jsonl", admin.export_audit),
        Route("/static/{name}", KeptFiles(FILES).answer),
    ]


def _page(address: str, handler: Handler) -> Route:
    return Route(address, door(handler, refuse), methods=["GET"])


def _form(address: str, handler: Handler) -> Route:
    return Route(address, door(handler, refuse), methods=["POST"])
