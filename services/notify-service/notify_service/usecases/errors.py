"""What can go wrong, for the caller.

NotFound              Conflict               Invalid
├── MessageNotFound   ├── MessageNotFailed   └── TemplateInvalid
└── TemplateNotFound  └── PersonErased
"""

from shared.web.errors import Conflict, Invalid, NotFound


class MessageNotFound(NotFound):
    slug, title = "message-not-found", "There is no such message"


class TemplateNotFound(NotFound):
    slug, title = "template-not-found", "There is no template of your own to take out"


class MessageNotFailed(Conflict):
    slug, title = "message-not-failed", "Only a message that failed can be tried again"


class PersonErased(Conflict):
    slug, title = "person-erased", "This person has been erased"


class TemplateInvalid(Invalid):
    slug, title = "template-invalid", "The template cannot be used"
