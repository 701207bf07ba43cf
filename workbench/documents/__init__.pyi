from .document import Document
from .pasted import documents_in, understood_as
from .reading import Documents, Unread, read_documents
from .splitting import Part

__all__ = ["Document", "Documents", "Part", "Unread", "documents_in", "read_documents", "understood_as"]
