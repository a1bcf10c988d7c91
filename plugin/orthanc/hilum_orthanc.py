"""Orthanc plug-in of Hilum: tells RabbitMQ when a study is stable.

Orthanc calls `on_change` on a thread of its own; all that happens there is a put into a bounded queue, and a row in a small file beside
Orthanc's index, the spool. One thread of this plug-in takes from that queue, asks Orthanc for the Study Instance UID, publishes, and
deletes the row when the broker has confirmed. Nothing here ever blocks Orthanc, keeps it from starting, or writes anything about a
patient: the message, the log and the spool hold identifiers, times and counts only.

An event is a hint. What is lost here (more studies than QueueLimit wait, a power cut, a spool that can't be written) is found again by
the service, which looks at the archive itself.
"""

import collections
import datetime
import hashlib
import json
import os
import random
import re
import ssl
import threading
import time
import urllib.parse
import urllib.request
import uuid

try:
    import orthanc
except ImportError:  # Outside Orthanc: the tests.
    orthanc = None

SCHEMA_VERSION = 1
ROUTING_KEY = 'study.stable'
DEFAULTS = {
    'AmqpUrl': None,
    'Exchange': 'hilum.study',
    'QueueLimit': 10000,
    'SpoolDirectory': None,
    'HeartbeatSeconds': 30,
    'CaFile': None,
    'CertFile': None,
    'KeyFile': None,
    'OtlpEndpoint': None,
    'OtlpHeaders': {},
    'TraceRatio': 1.0,
}
ENVIRONMENT = {
    'AmqpUrl': 'HILUM_AMQP_URL',
    'Exchange': 'HILUM_EXCHANGE',
    'QueueLimit': 'HILUM_QUEUE_LIMIT',
    'SpoolDirectory': 'HILUM_SPOOL_DIRECTORY',
    'CaFile': 'HILUM_AMQP_CA_FILE',
    'OtlpEndpoint': 'HILUM_OTLP_ENDPOINT',
}
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
UNROUTABLE_DELAY_SECONDS = 2.0
IDLE_SECONDS = 1.0
FLUSH_SECONDS = 5.0
CONNECT_SECONDS = 5.0
RESOLVE_TRIES = 5
SPOOL_NAME = 'hilum-spool'
RESULT_MODALITIES = ('SR', 'OT', 'SEG', 'PR')  # What Hilum itself stores.
STUDIES_REMEMBERED = 10000
SPANS_WAITING = 1000
SPANS_AT_ONCE = 100
SPANS_DELAY_SECONDS = 1.0
OTLP_SECONDS = 5.0
HEADER_NAME = re.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 section 5.1
HEADER_VALUE = re.compile('[\\t -~]*')
UNKNOWN_RESOURCE = 17  # OrthancPluginErrorCode_UnknownResource: the study was deleted meanwhile.


# --- Settings ---------------------------------------------------------------------------------------------------------------------


def read_settings(configuration, environment):
    """The section "Hilum" of Orthanc's configuration, with environment variables over it: (settings, problems)."""
    section = configuration.get('Hilum', {})
    if not isinstance(section, dict):
        return dict(DEFAULTS), ['"Hilum" must be an object']
    problems = ['unknown setting "%s"' % key for key in sorted(section) if key not in DEFAULTS]
    settings = dict(DEFAULTS)
    settings.update({key: value for key, value in section.items() if key in DEFAULTS})
    for key, name in ENVIRONMENT.items():
        if environment.get(name):
            settings[key] = environment[name]
    for key, lowest in (('QueueLimit', 1), ('HeartbeatSeconds', 5)):
        number = as_whole_number(settings[key])
        if number is None or number < lowest:
            problems.append('"%s" must be a whole number, at least %d' % (key, lowest))
        settings[key] = number
    for key in ('Exchange', 'AmqpUrl', 'SpoolDirectory', 'CaFile', 'CertFile', 'KeyFile', 'OtlpEndpoint'):
        if settings[key] is not None and not (isinstance(settings[key], str) and settings[key]):
            problems.append('"%s" must be a text' % key)
    if isinstance(settings['SpoolDirectory'], str) and not os.path.isabs(settings['SpoolDirectory']):
        problems.append('"SpoolDirectory" must be an absolute path')
    return settings, problems + check_traces(settings) + check_url(settings['AmqpUrl'])


def as_whole_number(value):
    """An int from an int or from its text (environment variables are texts); None for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdigit() else None


def check_traces(settings):
    """What is wrong with where traces go, without repeating it: headers hold tokens."""
    endpoint, headers, ratio = settings['OtlpEndpoint'], settings['OtlpHeaders'], settings['TraceRatio']
    problems = []
    if isinstance(endpoint, str) and endpoint and not endpoint.startswith(('http://', 'https://')):
        problems.append('"OtlpEndpoint" must start with http:// or https://')
    elif isinstance(endpoint, str) and endpoint and not names_host_only(endpoint):
        problems.append('"OtlpEndpoint" must be host, port and path alone; a user name and a password go into "OtlpHeaders", as Authorization')
    if not (isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values())):
        problems.append('"OtlpHeaders" must be an object of texts')
    elif not all(HEADER_NAME.fullmatch(name) and HEADER_VALUE.fullmatch(value) for name, value in headers.items()):
        problems.append('"OtlpHeaders" has a name or a value that can\'t be sent: a line break, or a character outside ASCII')
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 <= ratio <= 1:
        problems.append('"TraceRatio" must be a number from 0 to 1')
    return problems


def names_host_only(endpoint):
    """Whether urllib can call it. It takes no password from a URL, and its errors would quote it as a port."""
    try:
        parts = urllib.parse.urlsplit(endpoint)
        return bool(parts.hostname) and '@' not in parts.netloc and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def check_url(url):
    """What is wrong with the broker's address, without repeating it: it holds a password."""
    if url is None:
        return ['no broker is named: set "AmqpUrl", or the environment variable HILUM_AMQP_URL']
    if not isinstance(url, str) or not url.startswith(('amqp://', 'amqps://')):
        return ['"AmqpUrl" must start with amqp:// or amqps://']
    return []


def spool_directory(settings, configuration):
    """Where the spool is: as set, else a folder beside Orthanc's index, which is on a disk of its own machine. None when that can't be told.

    Orthanc leaves foreign folders in its storage alone. A path that is not absolute would depend on where Orthanc was started.
    """
    if settings['SpoolDirectory'] is not None:
        return settings['SpoolDirectory']
    parent = configuration.get('IndexDirectory') or configuration.get('StorageDirectory') or ''
    return os.path.join(parent, SPOOL_NAME) if os.path.isabs(parent) else None


# --- The event --------------------------------------------------------------------------------------------------------------------


def build_event(study_instance_uid, aet, occurred_at, compare_films=True):
    """The study event, schema version 1 (docs/events.md). `compare_films` is false where no film came or changed since the last event."""
    source = {'system': 'orthanc'}
    if aet:
        source['aet'] = aet
    event = {
        'schemaVersion': SCHEMA_VERSION,
        'type': 'study-stable',
        'studyInstanceUid': study_instance_uid,
        'source': source,
        'occurredAt': format_time(occurred_at),
    }
    return event if compare_films else dict(event, compareFilms=False)


class SeenFilms:
    """What the films of the last studies were when their event was published, in memory and bounded: a study forgotten is compared."""

    def __init__(self, limit=STUDIES_REMEMBERED):
        self._limit = limit
        self._seen = collections.OrderedDict()

    def is_known(self, study, films):
        return films is not None and self._seen.get(study) == films

    def keep(self, study, films):
        self._seen.pop(study, None)
        if films is None:
            return
        self._seen[study] = films
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)


def fingerprint(series):
    """A digest that changes when an instance of a study comes, goes or is overwritten, those of results left out; None when that can't be told.

    Orthanc notes at each series when it last stored something in it (LastUpdate), also where that took the place of the same instance.
    """
    others = [one for one in series if one.get('MainDicomTags', {}).get('Modality') not in RESULT_MODALITIES]
    if not all(one.get('LastUpdate') for one in others):
        return None
    facts = sorted([one['ID'], one['LastUpdate'], sorted(one['Instances'])] for one in others)
    return hashlib.sha256(json.dumps(facts).encode('ascii')).hexdigest()


def format_time(seconds):
    """ISO 8601 in UTC with milliseconds, as JavaScript writes it."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime('%Y-%m-%dT%H:%M:%S.') + '%03dZ' % (moment.microsecond // 1000)


# --- The spool --------------------------------------------------------------------------------------------------------------------


class Spool:
    """The waiting studies on disk: an SQLite file with one row for each. It is a copy of what the queue holds in memory, read at the start only.

    No call waits for the disk (synchronous=OFF): a row is with the operating system when `add` returns. It survives every kill of Orthanc,
    SIGKILL included; a power cut may take the last rows, or damage the file. A damaged file is moved aside. When the spool can't be
    opened or written, one line says so and everything goes on in memory.
    """

    FILE = 'spool.sqlite3'

    def __init__(self, directory, warn):
        self._warn = warn
        self._connection = None
        self._path = None
        if directory is None:
            warn('Hilum: waiting study events are kept in memory only: set "SpoolDirectory"')
            return
        self._path = os.path.join(directory, self.FILE)
        self._guarded(self._open, directory)

    @property
    def is_open(self):
        return self._connection is not None

    def load(self):
        """All (study, occurred_at), oldest first."""
        return self._execute('SELECT study, occurred_at FROM study ORDER BY position') or []

    def add(self, study, occurred_at):
        """A study that is there already gets this time, and goes to the end."""
        self._execute('INSERT OR REPLACE INTO study (study, occurred_at) VALUES (?, ?)', study, occurred_at)

    def remove(self, study, occurred_at):
        """Newer news of the same study stays: it has another time."""
        self._execute('DELETE FROM study WHERE study = ? AND occurred_at = ?', study, occurred_at)

    def close(self):
        connection, self._connection = self._connection, None
        close_quietly(connection)

    def _open(self, directory):
        import sqlite3  # pylint: disable=import-outside-toplevel  # a Python without it still publishes

        os.makedirs(directory, mode=0o700, exist_ok=True)
        try:
            self._connection = self._connect(sqlite3)
        except sqlite3.OperationalError:  # read-only, full, locked by another Orthanc: nothing is wrong with what is in it
            raise
        except sqlite3.DatabaseError as error:
            aside = self._move_aside()
            self._warn('Hilum: the spool was damaged (%s) and is now %s; the service finds what was in it' % (describe(error), aside))
            self._connection = self._connect(sqlite3)

    def _connect(self, sqlite3):
        connection = sqlite3.connect(self._path, timeout=0.1, isolation_level=None, check_same_thread=False)
        try:
            # Exclusive: two Orthancs never share one file, and no shared memory is needed, which network disks don't have.
            for pragma in ('locking_mode=EXCLUSIVE', 'journal_mode=WAL', 'synchronous=OFF'):
                connection.execute('PRAGMA ' + pragma).fetchall()
            if connection.execute('PRAGMA quick_check(1)').fetchall() != [('ok',)]:
                raise sqlite3.DatabaseError('its check failed')
            connection.execute('CREATE TABLE IF NOT EXISTS study (position INTEGER PRIMARY KEY AUTOINCREMENT, study TEXT NOT NULL UNIQUE, occurred_at REAL NOT NULL)')
            connection.execute('SELECT position, study, occurred_at FROM study LIMIT 1').fetchall()
            return connection
        except BaseException:
            connection.close()
            raise

    def _move_aside(self):
        """One damaged file is kept, for whoever wants to look at it; the next one replaces it."""
        os.replace(self._path, self._path + '.damaged')
        for suffix in ('-wal', '-journal', '-shm'):
            if os.path.exists(self._path + suffix):
                os.remove(self._path + suffix)
        return self._path + '.damaged'

    def _execute(self, statement, *values):
        if self._connection is None:
            return None
        return self._guarded(lambda: self._connection.execute(statement, values).fetchall())

    def _guarded(self, act, *arguments):
        """Whatever is wrong with the disk is one line in the log, and never more."""
        try:
            return act(*arguments)
        except Exception as error:  # pylint: disable=broad-except  # of SQLite, of the system, or no SQLite at all
            self.close()
            self._warn('Hilum: the spool %s can\'t be used (%s); going on in memory: what waits is lost if Orthanc is killed' % (self._path, describe(error)))
            return None


# --- The queue --------------------------------------------------------------------------------------------------------------------


class StudyQueue:
    """Studies that wait to be published: bounded, first in first out, each study once. When full, the oldest goes. The spool follows."""

    def __init__(self, limit, spool):
        self._limit = limit
        self._spool = spool
        self._waiting = collections.OrderedDict()
        self._condition = threading.Condition()
        self._closed = False
        self.dropped = 0
        for study, occurred_at in spool.load():
            self._make_room()
            self._waiting[study] = occurred_at

    def __len__(self):
        return len(self._waiting)

    def put(self, study, occurred_at):
        """Never blocks. Returns how many studies had to go for it (0 or 1)."""
        with self._condition:
            if study in self._waiting:
                return 0
            lost = self._make_room()
            self._waiting[study] = occurred_at
            self._spool.add(study, occurred_at)
            self._condition.notify()
            return lost

    def take(self, timeout):
        """The oldest (study, occurred_at), or None after `timeout` seconds; None at once when closed and empty.

        What is taken no longer waits: a put of the same study from now on is news and waits again. It stays in the spool until `done`.
        """
        with self._condition:
            if not self._waiting and not self._closed:
                self._condition.wait(timeout)
            return self._waiting.popitem(last=False) if self._waiting else None

    def done(self, study, occurred_at):
        """What was taken is with the broker, or given up."""
        with self._condition:
            self._spool.remove(study, occurred_at)

    def requeue(self, study, occurred_at):
        """Returns a study that could not be published to the front, unless newer news of it waits already or there is no room."""
        with self._condition:
            if study in self._waiting:
                return
            if len(self._waiting) >= self._limit:
                self._drop(study, occurred_at)
                return
            self._waiting[study] = occurred_at
            self._waiting.move_to_end(study, last=False)

    def close(self):
        """Wakes who waits in `take`."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def close_spool(self):
        """The last call. Says whether what still waits is kept there."""
        with self._condition:
            is_kept = self._spool.is_open
            self._spool.close()
            return is_kept

    def _make_room(self):
        if len(self._waiting) < self._limit:
            return 0
        self._drop(*self._waiting.popitem(last=False))
        return 1

    def _drop(self, study, occurred_at):
        self._spool.remove(study, occurred_at)
        self.dropped += 1


class LogLimiter:
    """Lets each kind of message through once in a while, so that an outage is a few lines and not a full disk."""

    def __init__(self, write, seconds=60.0, clock=time.monotonic):
        self._write = write
        self._seconds = seconds
        self._clock = clock
        self._last = {}

    def say(self, kind, text):
        now = self._clock()
        if kind in self._last and now - self._last[kind] < self._seconds:
            return
        self._last[kind] = now
        self._write(text)

    def reset(self, kind):
        self._last.pop(kind, None)


# --- Traces ------------------------------------------------------------------------------------------------------------------------


class Trace:
    """The trace of one event: it begins when Orthanc found the study stable, and goes on in the service (W3C Trace Context)."""

    def __init__(self, is_sent):
        self.trace_id = os.urandom(16).hex()
        self.span_id = os.urandom(8).hex()
        self.is_sent = is_sent

    @property
    def headers(self):
        return {'traceparent': '00-%s-%s-%s' % (self.trace_id, self.span_id, '01' if self.is_sent else '00')}


class Traces:
    """Sends a span for each event that was published, as OTLP over HTTP (JSON), from a thread of its own. Nothing waits for it: when
    the receiver does not take spans, or more wait than there is room for, they are left out."""

    def __init__(self, exchange, ratio, post, warn):
        self._exchange = exchange
        self._ratio = ratio
        self._post = post
        self._limiter = LogLimiter(warn)
        self._waiting = collections.deque(maxlen=SPANS_WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='hilum-traces', daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(OTLP_SECONDS)

    def begin(self):
        return Trace(random.random() < self._ratio)

    def published(self, trace, study_instance_uid, occurred_at, now):
        if trace.is_sent:
            self._waiting.append(span_of(trace, self._exchange, study_instance_uid, occurred_at, now))

    def _run(self):
        while not self._stopping.wait(SPANS_DELAY_SECONDS):
            self._send()
        self._send()

    def _send(self):
        spans = [self._waiting.popleft() for _ in range(min(len(self._waiting), SPANS_AT_ONCE))]
        if not spans:
            return
        try:
            self._post(json.dumps(export_request(spans)).encode('utf-8'))
            self._limiter.reset('traces')
        except Exception as error:  # pylint: disable=broad-except  # of the network, of TLS, or of the receiver
            self._limiter.say('traces', 'Hilum: the receiver of traces does not take them (%s); events are published all the same' % describe(error))


def span_of(trace, exchange, study_instance_uid, occurred_at, now):
    """An OTLP span, named by OpenTelemetry's semantic conventions for messaging; kind 4 is a producer."""
    return {
        'traceId': trace.trace_id,
        'spanId': trace.span_id,
        'name': 'send ' + exchange,
        'kind': 4,
        'startTimeUnixNano': str(int(occurred_at * 1000) * 1000000),
        'endTimeUnixNano': str(int(max(now, occurred_at) * 1000) * 1000000),
        'attributes': attributes({
            'messaging.system.name': 'rabbitmq',
            'messaging.operation.name': 'publish',
            'messaging.operation.type': 'send',
            'messaging.destination.name': exchange,
            'rabbitmq.destination.routing_key': ROUTING_KEY,
            'hilum.study': study_instance_uid,
        }),
        'status': {},
    }


def export_request(spans):
    resource = {'attributes': attributes({'service.name': 'hilum-orthanc'})}
    return {'resourceSpans': [{'resource': resource, 'scopeSpans': [{'scope': {'name': 'hilum-orthanc'}, 'spans': spans}]}]}


def attributes(values):
    return [{'key': key, 'value': {'stringValue': value}} for key, value in values.items()]


def otlp_post(settings):
    """A function that posts one request; raises when it was not taken."""
    url = settings['OtlpEndpoint'].rstrip('/') + '/v1/traces'
    headers = dict(settings['OtlpHeaders'], **{'Content-Type': 'application/json'})
    context = tls_context(settings) if urllib.parse.urlsplit(url).scheme == 'https' else None

    def post(body):
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=OTLP_SECONDS, context=context) as answer:
            answer.read(65536)

    return post


# --- The publisher ----------------------------------------------------------------------------------------------------------------


class Unroutable(Exception):
    """The broker has no queue for the event yet: the service has never run."""


class Publisher:
    """The thread that brings waiting studies to the broker.

    `resolve` gives the Study Instance UID of an Orthanc identifier, None when the study is gone; `look` its series, as Orthanc lists them. `connect` gives an open link with
    `publish(body, headers)`, `keep_alive()` and `close()`; any exception of these ends the link, and the study in hand is put back.
    `traces` is None where none are sent.
    """

    def __init__(self, queue, resolve, connect, aet, warn, look=lambda study: [{}], traces=None):
        self._queue = queue
        self._resolve = resolve
        self._look = look
        self._seen = SeenFilms()
        self._connect = connect
        self._traces = traces
        self._aet = aet
        self._limiter = LogLimiter(warn)
        self._stopping = threading.Event()
        self._deadline = None
        self._resolve_failures = 0
        self._delay = FIRST_DELAY_SECONDS
        self._thread = threading.Thread(target=self._run, name='hilum-publisher', daemon=True)

    def start(self):
        if self._traces is not None:
            self._traces.start()
        self._thread.start()

    def on_stable_study(self, study):
        """Called by Orthanc: must return at once."""
        if self._queue.put(study, time.time()):
            self._limiter.say('dropped', 'Hilum: the queue is full, %d study event(s) dropped so far; is the broker away?' % self._queue.dropped)

    def stop(self):
        """Publishes what waits, for FLUSH_SECONDS at most."""
        self._deadline = time.monotonic() + FLUSH_SECONDS
        self._stopping.set()
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(FLUSH_SECONDS + 1.0)
        if self._traces is not None:
            self._traces.stop()
        is_kept = self._queue.close_spool()
        if len(self._queue):
            self._limiter.reset('stop')
            fate = 'wait in the spool for its next start' if is_kept else 'are lost'
            self._limiter.say('stop', 'Hilum: %d study event(s) were not published before Orthanc stopped and %s' % (len(self._queue), fate))

    def _run(self):
        while not self._is_over():
            link = None
            started = time.monotonic()
            try:
                link = self._connect()
                self._limiter.say('connected', 'Hilum: connected to the broker')
                self._serve(link)
            except Exception as error:  # pylint: disable=broad-except  # pika raises many kinds, and none may end the thread
                self._limiter.say('broker', 'Hilum: no link to the broker (%s), trying again; %d study event(s) wait' % (describe(error), len(self._queue)))
            finally:
                close_quietly(link)
            if time.monotonic() - started > LONGEST_DELAY_SECONDS:
                self._delay = FIRST_DELAY_SECONDS
            self._pause(self._delay)
            self._delay = min(self._delay * 2, LONGEST_DELAY_SECONDS)

    def _serve(self, link):
        """Publishes until there is nothing left to do, or the link breaks."""
        while not self._is_over():
            link.keep_alive()
            taken = self._queue.take(IDLE_SECONDS)
            if taken is not None:
                self._publish(link, *taken)

    def _publish(self, link, study, occurred_at):
        try:
            uid = self._resolve_or_none(study)
            if uid is not None:
                films = self._films_or_none(study)
                trace = None if self._traces is None else self._traces.begin()
                event = build_event(uid, self._aet, occurred_at, not self._seen.is_known(study, films))
                link.publish(json.dumps(event), {} if trace is None else trace.headers)
                if trace is not None:
                    self._traces.published(trace, uid, occurred_at, time.time())
                self._seen.keep(study, films)
                self._limiter.reset('unroutable')
                self._limiter.reset('broker')
                self._delay = FIRST_DELAY_SECONDS
            self._queue.done(study, occurred_at)
        except Unroutable:
            self._queue.requeue(study, occurred_at)
            self._limiter.say('unroutable', 'Hilum: no queue is bound to the exchange yet (start the Hilum service once); %d study event(s) wait' % len(self._queue))
            self._wait_alive(link, UNROUTABLE_DELAY_SECONDS)
        except BaseException:
            self._queue.requeue(study, occurred_at)
            raise

    def _films_or_none(self, study):
        """When Orthanc doesn't tell, the service compares: that is right in any case, and only takes longer."""
        try:
            return fingerprint(self._look(study))
        except Exception:  # pylint: disable=broad-except
            return None

    def _resolve_or_none(self, study):
        """A study that Orthanc can't tell of even after some tries is given up, so that it never blocks the others."""
        try:
            uid = self._resolve(study)
            self._resolve_failures = 0
            return uid
        except Exception as error:  # pylint: disable=broad-except
            self._resolve_failures += 1
            if self._resolve_failures < RESOLVE_TRIES:
                raise
            self._resolve_failures = 0
            self._limiter.say('resolve', 'Hilum: Orthanc does not tell the UID of study %s (%s); its event is dropped' % (study, describe(error)))
            return None

    def _wait_alive(self, link, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stopping.is_set():
            self._stopping.wait(min(IDLE_SECONDS, seconds))
            link.keep_alive()

    def _pause(self, seconds):
        """A pause between two connections; short while stopping, so that the time for the last events is used."""
        if not self._stopping.wait(seconds):
            return
        time.sleep(0.1)

    def _is_over(self):
        if not self._stopping.is_set():
            return False
        return len(self._queue) == 0 or time.monotonic() >= self._deadline


def describe(error):
    """The kind of an error and its first words. pika's errors name hosts and ports, never passwords."""
    return '%s: %s' % (type(error).__name__, (str(error) or repr(error)).splitlines()[0][:600])


def close_quietly(link):
    try:
        if link is not None:
            link.close()
    except Exception:  # pylint: disable=broad-except
        pass


# --- RabbitMQ ---------------------------------------------------------------------------------------------------------------------


class RabbitLink:
    """One connection and one channel with publisher confirms: `publish` returns only when the broker has the message on a queue."""

    def __init__(self, pika, settings):
        self._pika = pika
        self._exchange = settings['Exchange']
        self._connection = pika.BlockingConnection(connection_parameters(pika, settings))
        self._channel = self._connection.channel()
        self._channel.exchange_declare(exchange=self._exchange, exchange_type='topic', durable=True)
        self._channel.confirm_delivery()

    def publish(self, body, headers):
        properties = self._pika.BasicProperties(
            content_type='application/json',
            content_encoding='utf-8',
            delivery_mode=2,
            message_id=str(uuid.uuid4()),
            app_id='hilum-orthanc',
            type='study-stable',
            headers=headers,
        )
        try:
            self._channel.basic_publish(self._exchange, ROUTING_KEY, body.encode('utf-8'), properties, mandatory=True)
        except self._pika.exceptions.UnroutableError as error:
            raise Unroutable() from error

    def keep_alive(self):
        """Answers heartbeats, and raises when the broker has gone."""
        self._connection.process_data_events(time_limit=0)

    def close(self):
        self._connection.close()


def connection_parameters(pika, settings):
    """pika's parameters from the URL; the time limits keep a silent network from holding the thread."""
    parameters = pika.URLParameters(settings['AmqpUrl'])
    parameters.heartbeat = settings['HeartbeatSeconds']
    parameters.socket_timeout = CONNECT_SECONDS
    parameters.stack_timeout = 2 * CONNECT_SECONDS
    parameters.blocked_connection_timeout = 60
    parameters.connection_attempts = 1
    parameters.client_properties = {'connection_name': 'hilum-orthanc'}
    if settings['AmqpUrl'].startswith('amqps://'):
        parameters.ssl_options = pika.SSLOptions(tls_context(settings), parameters.host)
    return parameters


def tls_context(settings):
    """The broker's certificate is checked as the service checks it. From 3.13 on Python also refuses an authority without the extension
    keyUsage, which many a hospital's own authority is; the chain, the name and the dates are checked all the same."""
    context = ssl.create_default_context(cafile=settings['CaFile'])
    context.verify_flags &= ~getattr(ssl, 'VERIFY_X509_STRICT', 0)
    if settings['CertFile']:
        context.load_cert_chain(settings['CertFile'], settings['KeyFile'])
    return context


# --- Orthanc ----------------------------------------------------------------------------------------------------------------------


def resolve_study(study):
    """The Study Instance UID. Not to be called from `on_change`: old versions deadlock when a callback asks Orthanc."""
    try:
        answer = json.loads(orthanc.RestApiGet('/studies/' + study))
    except orthanc.OrthancException as error:
        if error.args and error.args[0] == UNKNOWN_RESOURCE:
            return None
        raise
    return answer['MainDicomTags']['StudyInstanceUID']


def series_of(study):
    """The series of a study. As `resolve_study` not to be called from `on_change`."""
    return json.loads(orthanc.RestApiGet('/studies/' + study + '/series'))


def make_on_change(publisher):
    def on_change(change_type, _level, resource):
        if change_type == orthanc.ChangeType.STABLE_STUDY:
            publisher.on_stable_study(resource)
        elif change_type == orthanc.ChangeType.ORTHANC_STARTED:
            publisher.start()
        elif change_type == orthanc.ChangeType.ORTHANC_STOPPED:
            publisher.stop()

    return on_change


def create():
    """The function that Orthanc is to call on changes. Any problem is one line in the log, and a function that does nothing."""
    try:
        return create_or_raise()
    except Exception as failure:  # pylint: disable=broad-except  # an exception here would keep Orthanc from starting
        orthanc.LogError('Hilum: no study events are published: ' + describe(failure))
        return lambda change_type, level, resource: None


def create_or_raise():
    try:
        import pika  # pylint: disable=import-outside-toplevel
    except Exception as error:  # a broken package raises more than ImportError
        raise RuntimeError('the Python package "pika" can\'t be loaded (%s); install python3-pika (Debian) or "pip install pika"' % describe(error)) from error
    configuration = json.loads(orthanc.GetConfiguration())
    settings, problems = read_settings(configuration, os.environ)
    if not problems:
        problems = check_parameters(pika, settings)
    if problems:
        raise ValueError('; '.join(problems))
    spool = Spool(spool_directory(settings, configuration), orthanc.LogWarning)
    queue = StudyQueue(settings['QueueLimit'], spool)
    if len(queue):
        orthanc.LogWarning('Hilum: %d study event(s) wait in the spool' % len(queue))
    traces = None
    if settings['OtlpEndpoint'] is not None:
        traces = Traces(settings['Exchange'], settings['TraceRatio'], otlp_post(settings), orthanc.LogWarning)
    publisher = Publisher(queue, resolve_study, lambda: RabbitLink(pika, settings), configuration.get('DicomAet'), orthanc.LogWarning, series_of, traces)
    orthanc.LogWarning('Hilum: study events go to the exchange %s' % settings['Exchange'])
    return make_on_change(publisher)


def check_parameters(pika, settings):
    """What pika or TLS would refuse later, found at once. The message of pika may repeat the URL, so only its kind is told."""
    try:
        connection_parameters(pika, settings)
        return []
    except Exception as error:  # pylint: disable=broad-except
        return ['the broker\'s URL or TLS files are refused (%s)' % type(error).__name__]


def is_the_script():
    """Whether Orthanc runs this file itself. Imported by somebody's own script, it leaves the one change callback to that."""
    return os.path.basename(json.loads(orthanc.GetConfiguration()).get('PythonScript', '')) == os.path.basename(__file__)


if orthanc is not None and is_the_script():
    orthanc.RegisterOnChangeCallback(create())
