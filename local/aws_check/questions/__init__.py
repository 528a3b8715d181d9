"""The questions. This is the one list of them; docs/aws-behaviour.md explains each."""

from local.aws_check.answer import Question
from local.aws_check.questions import (
    cloudformation,
    delays,
    documents,
    events,
    fleet,
    grants,
    keys,
    parameters,
    policies,
    security_hub,
    sessions,
    simulator,
)

QUESTIONS: tuple[Question, ...] = (
    *documents.QUESTIONS,
    *sessions.QUESTIONS,
    *fleet.QUESTIONS,
    *parameters.QUESTIONS,
    *keys.QUESTIONS,
    *grants.QUESTIONS,
    *policies.QUESTIONS,
    *delays.QUESTIONS,
    *simulator.QUESTIONS,
    *events.QUESTIONS,
    *security_hub.QUESTIONS,
    *cloudformation.QUESTIONS,
)
