"""A library of books over gRPC. It says its port, and what it was told of the caller."""
import sys
import tempfile
from concurrent import futures
from pathlib import Path

import google.api
import grpc
from grpc_tools import protoc

here = Path(__file__).parent
built = tempfile.mkdtemp()
includes = [Path(path).parent.parent for path in google.api.__path__]
tools = Path(protoc.__file__).parent / "_proto"
arguments = ["protoc", f"-I{here}", f"-I{tools}", *(f"-I{path}" for path in includes)]
assert protoc.main([*arguments, f"--python_out={built}", f"--grpc_python_out={built}", "library.proto"]) == 0
sys.path.insert(0, built)
import library_pb2 as pb  # noqa: E402
import library_pb2_grpc as stubs  # noqa: E402


def caller(context):
    told = dict(context.invocation_metadata())
    return told.get("x-kong-jwt-claim-sub", "nobody")


class Library(stubs.LibraryServicer):
    def GetBook(self, request, context):
        if request.book.id == 404:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such book")
        book = pb.Book(id=request.book.id, title=f"on {request.shelf}", kind=pb.NOVEL, caller=caller(context))
        book.copies["paper"] = 2
        book.printed_at.FromJsonString("2026-11-26T10:00:00Z")
        return book

    def AddBook(self, request, context):
        book = request.book
        book.caller = caller(context)
        return book

    def Lend(self, request, context):
        return pb.Book(id=request.id, lent_to=request.reader, caller=caller(context))

    def ListTitles(self, request, context):
        kinds = [pb.Kind.Name(kind) for kind in request.kinds]
        return pb.ListTitlesResponse(titles=kinds[: request.limit])

    def Follow(self, request, context):
        for number in range(request.limit):
            yield pb.Book(id=number)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
stubs.add_LibraryServicer_to_server(Library(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
server.wait_for_termination()
