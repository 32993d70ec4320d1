"""Makes what is measured of pretix: one organizer, events on sale free of charge, a token for the API."""

import datetime
import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pretix.settings")
django.setup()

from django_scopes import scopes_disabled  # noqa: E402
from pretix.base.models import Event, Organizer  # noqa: E402

EVENTS = int(sys.argv[1])
SEATS = 1_000_000
STARTS = datetime.datetime(2099, 6, 1, 18, tzinfo=datetime.timezone.utc)

with scopes_disabled():
    organizer = Organizer.objects.create(name="Compare", slug="compare")
    items = []
    for number in range(EVENTS):
        event = Event.objects.create(
            organizer=organizer,
            name=f"On sale now {number}",
            slug=f"event{number}",
            currency="EUR",
            date_from=STARTS,
            live=True,
            is_public=True,
        )
        item = event.items.create(name="Admission", default_price=0)
        event.quotas.create(name="Admission", size=SEATS).items.add(item)
        items.append(item.pk)
    team = organizer.teams.create(
        name="Compare", all_events=True, all_event_permissions=True, all_organizer_permissions=True
    )
    token = team.tokens.create(name="compare").token

print(json.dumps({"item": items[0], "token": token}))
