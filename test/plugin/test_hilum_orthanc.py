"""The plug-in's parts without Orthanc and without a broker: /usr/bin/python3 -m unittest discover -s test/plugin"""

import http.server
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../../plugin/orthanc'))
import hilum_orthanc as plugin  # noqa: E402

URL = 'amqp://hilum:secret@rabbitmq:5672'


def memory_queue(limit):
    return plugin.StudyQueue(limit, plugin.Spool(None, lambda line: None))


class SettingsTest(unittest.TestCase):
    def test_defaults(self):
        settings, problems = plugin.read_settings({'Hilum': {'AmqpUrl': URL}}, {})
        self.assertEqual(problems, [])
        self.assertEqual(settings['Exchange'], 'hilum.study')
        self.assertEqual(settings['QueueLimit'], 10000)

    def test_environment_goes_over_the_configuration(self):
        settings, problems = plugin.read_settings({'Hilum': {'AmqpUrl': 'amqp://old'}}, {'HILUM_AMQP_URL': URL, 'HILUM_QUEUE_LIMIT': '5'})
        self.assertEqual(problems, [])
        self.assertEqual((settings['AmqpUrl'], settings['QueueLimit']), (URL, 5))

    def test_every_problem_at_once_and_no_password(self):
        section = {'AmqpUrl': 'http://u:secret@host', 'QueueLimit': 'many', 'HeartbeatSeconds': True, 'Exchange': '', 'Exchnage': 'x'}
        _settings, problems = plugin.read_settings({'Hilum': section}, {})
        self.assertEqual(len(problems), 5)
        self.assertNotIn('secret', ' '.join(problems))

    def test_where_the_spool_is(self):
        def directory(configuration, environment=None):
            settings, problems = plugin.read_settings(dict(configuration, Hilum=dict(configuration.get('Hilum', {}), AmqpUrl=URL)), environment or {})
            return problems or plugin.spool_directory(settings, configuration)

        self.assertEqual(directory({'IndexDirectory': '/a/index', 'StorageDirectory': '/a/storage'}), '/a/index/hilum-spool')
        self.assertEqual(directory({'StorageDirectory': '/a/storage'}), '/a/storage/hilum-spool')
        self.assertEqual(directory({'StorageDirectory': '/a', 'Hilum': {'SpoolDirectory': '/b'}}), '/b')
        self.assertEqual(directory({'Hilum': {'SpoolDirectory': '/b'}}, {'HILUM_SPOOL_DIRECTORY': '/c'}), '/c')
        self.assertIsNone(directory({}))
        self.assertIsNone(directory({'StorageDirectory': 'OrthancStorage'}))
        self.assertEqual(directory({'Hilum': {'SpoolDirectory': 'b'}}), ['"SpoolDirectory" must be an absolute path'])

    def test_where_traces_go(self):
        def problems(**section):
            return plugin.read_settings({'Hilum': dict(section, AmqpUrl=URL)}, {})[1]

        self.assertEqual(problems(OtlpEndpoint='https://collector:4318', OtlpHeaders={'Authorization': 'Bearer x'}, TraceRatio=0), [])
        self.assertEqual(len(problems(OtlpEndpoint='collector:4318', OtlpHeaders={'Authorization': 1}, TraceRatio=True)), 3)
        self.assertEqual(problems(TraceRatio='1'), ['"TraceRatio" must be a number from 0 to 1'])
        self.assertEqual(problems(TraceRatio=1.5), ['"TraceRatio" must be a number from 0 to 1'])
        self.assertEqual(problems(OtlpEndpoint=5), ['"OtlpEndpoint" must be a text'])

    def test_secrets_of_traces_that_an_error_would_quote_are_refused_unquoted(self):
        # urllib takes no password from a URL: it reads it as a port, and its error quotes it. Of a header, it quotes what it can't send.
        for section in (
            {'OtlpEndpoint': 'https://hilum:secret@collector'},
            {'OtlpEndpoint': 'https://collector:secret'},
            {'OtlpEndpoint': 'https://collector', 'OtlpHeaders': {'Authorization': 'Bearer secret\n'}},
            {'OtlpEndpoint': 'https://collector', 'OtlpHeaders': {'Authorization': 'Bearer secret\u2026'}},
            {'OtlpEndpoint': 'https://collector', 'OtlpHeaders': {'secret: x': '1'}},
        ):
            _settings, problems = plugin.read_settings({'Hilum': dict(section, AmqpUrl=URL)}, {})
            self.assertEqual(len(problems), 1, section)
            self.assertNotIn('secret', problems[0])

    def test_no_broker_named(self):
        self.assertEqual(len(plugin.read_settings({}, {})[1]), 1)
        self.assertEqual(plugin.read_settings({'Hilum': []}, {})[1], ['"Hilum" must be an object'])


class EventTest(unittest.TestCase):
    def test_shape(self):
        event = plugin.build_event('1.2.3', 'ORTHANC', 1700000000.0429)
        self.assertEqual(
            event,
            {
                'schemaVersion': 1,
                'type': 'study-stable',
                'studyInstanceUid': '1.2.3',
                'source': {'system': 'orthanc', 'aet': 'ORTHANC'},
                'occurredAt': '2023-11-14T22:13:20.042Z',
            },
        )

    def test_aet_is_optional(self):
        self.assertEqual(plugin.build_event('1.2.3', None, 0)['source'], {'system': 'orthanc'})


def series(name='a', modality='CR', updated='20260101T000000', instances=('i',)):
    return {'ID': name, 'LastUpdate': updated, 'Instances': list(instances), 'MainDicomTags': {'Modality': modality}}


class SeenFilmsTest(unittest.TestCase):
    def test_results_that_came_are_no_other_films(self):
        before = plugin.fingerprint([series()])
        self.assertEqual(plugin.fingerprint([series('r', 'SR'), series('h', 'OT'), series()]), before)

    def test_a_film_that_came_went_or_was_overwritten_is(self):
        before = plugin.fingerprint([series()])
        for after in ([series(updated='20260101T000001')], [series(instances=('i', 'j'))], [series(), series('b', 'DX')], [series(), series('b', '')], []):
            self.assertNotEqual(plugin.fingerprint(after), before)

    def test_a_key_object_selection_that_came_is_too(self):
        self.assertNotEqual(plugin.fingerprint([series(), series('k', 'KO')]), plugin.fingerprint([series()]))

    def test_without_a_time_nothing_is_known(self):
        self.assertIsNone(plugin.fingerprint([{'ID': 'a', 'Instances': ['i'], 'MainDicomTags': {}}]))
        seen = plugin.SeenFilms()
        seen.keep('s', None)
        self.assertFalse(seen.is_known('s', None))

    def test_it_forgets_the_oldest(self):
        seen = plugin.SeenFilms(2)
        for study in 'abc':
            seen.keep(study, 'x')
        self.assertEqual([seen.is_known(study, 'x') for study in 'abc'], [False, True, True])

    def test_the_event_says_when_no_film_changed(self):
        self.assertNotIn('compareFilms', plugin.build_event('1.2.3', None, 0))
        self.assertIs(plugin.build_event('1.2.3', None, 0, False)['compareFilms'], False)


class QueueTest(unittest.TestCase):
    def test_first_in_first_out_and_each_study_once(self):
        queue = memory_queue(10)
        for study in ('a', 'b', 'a'):
            queue.put(study, 1)
        self.assertEqual([queue.take(0), queue.take(0), queue.take(0)], [('a', 1), ('b', 1), None])

    def test_the_oldest_goes_when_it_is_full(self):
        queue = memory_queue(2)
        self.assertEqual([queue.put(study, 1) for study in 'abc'], [0, 0, 1])
        self.assertEqual(queue.dropped, 1)
        self.assertEqual([queue.take(0)[0], queue.take(0)[0]], ['b', 'c'])

    def test_news_of_a_study_in_hand_waits_again(self):
        queue = memory_queue(2)
        queue.put('a', 1)
        queue.take(0)
        queue.put('a', 2)
        queue.requeue('a', 1)
        self.assertEqual([queue.take(0), queue.take(0)], [('a', 2), None])

    def test_requeue_goes_to_the_front_and_never_over_the_limit(self):
        queue = memory_queue(2)
        queue.put('b', 2)
        queue.requeue('a', 1)
        queue.requeue('z', 0)
        self.assertEqual([queue.take(0), queue.take(0), queue.take(0)], [('a', 1), ('b', 2), None])
        self.assertEqual(queue.dropped, 1)

    def test_close_wakes_who_waits(self):
        queue = memory_queue(2)
        threading.Timer(0.05, queue.close).start()
        started = time.monotonic()
        self.assertIsNone(queue.take(30))
        self.assertLess(time.monotonic() - started, 10)


class SpoolTest(unittest.TestCase):
    def setUp(self):
        self.lines = []
        self.dir = tempfile.mkdtemp(prefix='hilum-spool-test-')
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.file = os.path.join(self.dir, 'deep', plugin.Spool.FILE)
        self.spools = []
        self.addCleanup(lambda: [spool.close() for spool in self.spools])

    def open(self, limit=10):
        self.spools.append(plugin.Spool(os.path.join(self.dir, 'deep'), self.lines.append))
        return plugin.StudyQueue(limit, self.spools[-1])

    def reopen(self, limit=10):
        """As after a clean stop of Orthanc."""
        self.spools[-1].close()
        return self.open(limit)

    def drain(self, queue):
        return [queue.take(0) for _ in range(len(queue))]

    def test_what_waits_is_there_again_in_order_with_its_time(self):
        queue = self.open()
        for number, study in enumerate('cab'):
            queue.put(study, number + 0.25)
        self.assertEqual(self.drain(self.reopen()), [('c', 0.25), ('a', 1.25), ('b', 2.25)])
        self.assertEqual(self.lines, [])

    def test_what_is_taken_stays_until_it_is_done(self):
        queue = self.open()
        for study in 'ab':
            queue.put(study, 1)
        queue.take(0)
        self.assertEqual(len(self.reopen()), 2)
        queue = self.reopen()
        queue.done(*queue.take(0))
        self.assertEqual(self.drain(self.reopen()), [('b', 1)])

    def test_news_of_a_study_in_hand_outlives_it(self):
        queue = self.open()
        for study, at in (('a', 1), ('b', 2)):
            queue.put(study, at)
        taken = queue.take(0)
        queue.put('a', 3)
        queue.done(*taken)
        self.assertEqual(self.drain(self.reopen()), [('b', 2), ('a', 3)])

    def test_it_is_bounded_like_the_queue(self):
        queue = self.open(3)
        for number in range(50):
            queue.put('study %d' % number, number)
        self.assertEqual(queue.dropped, 47)
        self.assertEqual([study for study, _ in self.drain(self.reopen(3))], ['study 47', 'study 48', 'study 49'])
        lower = self.reopen(1)
        self.assertEqual((lower.dropped, self.drain(lower)), (2, [('study 49', 49)]))
        self.assertEqual(len(self.reopen(3)), 1)

    def test_a_requeue_without_room_is_gone(self):
        queue = self.open(1)
        queue.put('a', 1)
        taken = queue.take(0)
        queue.put('b', 2)
        queue.requeue(*taken)
        self.assertEqual((queue.dropped, self.drain(self.reopen())), (1, [('b', 2)]))

    def test_it_survives_a_sigkill_at_any_row(self):
        """Another process puts studies and prints each, until it is killed: each study that it printed is in the spool."""
        script = (
            'import os, sys\n'
            'sys.dont_write_bytecode = True\n'
            'sys.path.insert(0, sys.argv[1])\n'
            'import hilum_orthanc as plugin\n'
            'queue = plugin.StudyQueue(100000, plugin.Spool(sys.argv[2], print))\n'
            'for number in range(100000):\n'
            '    queue.put("study %d" % number, number)\n'
            '    os.write(1, b"%d\\n" % number)\n'
        )
        child = subprocess.Popen([sys.executable, '-c', script, os.path.dirname(plugin.__file__), os.path.join(self.dir, 'deep')], stdout=subprocess.PIPE)
        said = [child.stdout.readline() for _ in range(500)]
        child.kill()
        said += child.stdout.readlines()
        child.stdout.close()
        child.wait()
        numbers = [int(line) for line in said if line.endswith(b'\n')]
        found = [study for study, _ in self.drain(self.open(100000))]
        self.assertEqual(found[: len(numbers)], ['study %d' % number for number in numbers])
        self.assertLessEqual(len(found), len(numbers) + 1)
        self.assertEqual(self.lines, [])

    def test_a_put_takes_no_time(self):
        queue = self.open(100000)
        times = []
        for number in range(2000):
            started = time.perf_counter()
            queue.put('study %d' % number, number)
            times.append(time.perf_counter() - started)
        self.assertLess(sorted(times)[len(times) // 2], 0.005)

    def damage(self, change):
        queue = self.open()
        for number in range(200):
            queue.put('study %d' % number, number)
        self.spools[-1].close()
        with open(self.file, 'r+b') as file:
            change(file)
        again = self.open()
        again.put('new', 1)
        self.assertEqual(len(self.lines), 1)
        self.assertRegex(self.lines[0], r'the spool was damaged .* is now .*spool\.sqlite3\.damaged')
        self.assertTrue(os.path.exists(self.file + '.damaged'))
        self.assertEqual(self.drain(self.reopen()), [('new', 1)])

    def test_a_file_that_is_something_else_is_moved_aside(self):
        self.damage(lambda file: file.write(b'this is no database' * 100))

    def test_a_file_with_a_hole_is_moved_aside(self):
        def overwrite(file):
            file.seek(4096)
            file.write(bytes(4096))

        self.damage(overwrite)

    def test_a_file_that_was_cut_is_moved_aside(self):
        self.damage(lambda file: file.truncate(5000))

    def test_a_second_one_on_the_same_file_stays_in_memory(self):
        self.open().put('a', 1)
        second = self.open()
        second.put('b', 2)
        self.assertEqual(self.drain(second), [('b', 2)])
        self.assertEqual(len(self.lines), 1)
        self.assertIn('database is locked', self.lines[0])

    def test_a_folder_that_can_not_be_made_is_one_line(self):
        with open(os.path.join(self.dir, 'deep'), 'w', encoding='utf-8') as file:
            file.write('a file where the folder should be')
        queue = self.open()
        for study in 'ab':
            queue.put(study, 1)
        self.assertEqual(self.drain(queue), [('a', 1), ('b', 1)])
        self.assertEqual(len(self.lines), 1)
        self.assertIn('going on in memory', self.lines[0])

    def test_a_disk_that_fills_up_is_one_line_and_nothing_that_waits_is_lost(self):
        queue = self.open(100000)
        self.spools[-1]._connection.execute('PRAGMA max_page_count=6')  # pylint: disable=protected-access
        for number in range(2000):
            queue.put('study %d' % number, number)
        self.assertEqual(len(self.lines), 1)
        self.assertRegex(self.lines[0], 'database or disk is full.*going on in memory')
        self.assertEqual(len(queue), 2000)

    def test_a_table_of_somebody_else_is_left_alone(self):
        os.makedirs(os.path.dirname(self.file))
        other = sqlite3.connect(self.file)
        other.execute('CREATE TABLE study (name TEXT)')
        other.close()
        queue = self.open()
        queue.put('a', 1)
        self.assertEqual(len(self.lines), 1)
        self.assertEqual(self.drain(queue), [('a', 1)])


class LogLimiterTest(unittest.TestCase):
    def test_each_kind_once_in_a_while(self):
        now, lines = [0.0], []
        limiter = plugin.LogLimiter(lines.append, 60, lambda: now[0])
        for kind, at in (('a', 0), ('a', 59), ('b', 59), ('a', 61)):
            now[0] = at
            limiter.say(kind, '%s%d' % (kind, at))
        self.assertEqual(lines, ['a0', 'b59', 'a61'])

    def test_reset_lets_the_next_one_through(self):
        lines = []
        limiter = plugin.LogLimiter(lines.append, 60, lambda: 0.0)
        limiter.say('a', '1')
        limiter.reset('a')
        limiter.say('a', '2')
        self.assertEqual(lines, ['1', '2'])


class FakeLink:
    """Takes messages; `failures` says what the next calls of publish raise."""

    def __init__(self, failures=()):
        self.failures = list(failures)
        self.bodies = []
        self.headers = []
        self.closed = 0

    def publish(self, body, headers):
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.bodies.append(json.loads(body))
        self.headers.append(headers)

    def keep_alive(self):
        pass

    def close(self):
        self.closed += 1


class PublisherTest(unittest.TestCase):
    def setUp(self):
        self.lines = []
        self.queue = memory_queue(10)

    def start(self, link, resolve=lambda study: '1.2.' + study, connect=None):
        publisher = plugin.Publisher(self.queue, resolve, connect or (lambda: link), 'AET', self.lines.append)
        publisher.start()
        self.addCleanup(publisher.stop)
        return publisher

    def wait_for(self, link, count):
        end = time.monotonic() + 20
        while len(link.bodies) < count and time.monotonic() < end:
            time.sleep(0.01)
        return [body['studyInstanceUid'] for body in link.bodies]

    def test_publishes_what_is_put(self):
        link = FakeLink()
        publisher = self.start(link)
        publisher.on_stable_study('1')
        publisher.on_stable_study('2')
        self.assertEqual(self.wait_for(link, 2), ['1.2.1', '1.2.2'])

    def test_a_row_goes_when_its_event_is_confirmed(self):
        directory = tempfile.mkdtemp(prefix='hilum-spool-test-')
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        spool = plugin.Spool(directory, self.lines.append)
        self.addCleanup(spool.close)
        self.queue = plugin.StudyQueue(10, spool)
        rows = []

        class LookingLink(FakeLink):
            def publish(self, body, headers):
                rows.append(len(spool.load()))
                super().publish(body, headers)

        link = LookingLink([ConnectionError('gone')])
        publisher = self.start(link, resolve=lambda study: None if study == 'deleted' else '1.2.' + study)
        for study in ('deleted', '1', '2'):
            publisher.on_stable_study(study)
        self.assertEqual(self.wait_for(link, 2), ['1.2.1', '1.2.2'])
        end = time.monotonic() + 10
        while spool.load() and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual(spool.load(), [])
        # One failed, then one for each: the row was still there each time.
        self.assertEqual(rows[-1], 1)
        self.assertEqual(len(rows), 3)

    def test_a_broken_link_loses_nothing_and_keeps_the_order(self):
        link = FakeLink([ConnectionError('gone'), None, ConnectionError('gone again')])
        publisher = self.start(link)
        for study in '123':
            publisher.on_stable_study(study)
        self.assertEqual(self.wait_for(link, 3), ['1.2.1', '1.2.2', '1.2.3'])
        self.assertEqual(link.closed, 2)
        self.assertIn('ConnectionError: gone', self.lines[1])

    def test_an_unroutable_event_is_kept(self):
        plugin.UNROUTABLE_DELAY_SECONDS, before = 0.05, plugin.UNROUTABLE_DELAY_SECONDS
        self.addCleanup(setattr, plugin, 'UNROUTABLE_DELAY_SECONDS', before)
        link = FakeLink([plugin.Unroutable(), plugin.Unroutable()])
        self.start(link).on_stable_study('1')
        self.assertEqual(self.wait_for(link, 1), ['1.2.1'])
        self.assertEqual(len([line for line in self.lines if 'no queue is bound' in line]), 1)
        self.assertEqual(link.closed, 0)

    def test_a_deleted_study_is_passed_over(self):
        link = FakeLink()
        publisher = self.start(link, resolve=lambda study: None if study == '1' else '1.2.' + study)
        publisher.on_stable_study('1')
        publisher.on_stable_study('2')
        self.assertEqual(self.wait_for(link, 1), ['1.2.2'])

    def test_a_study_that_orthanc_does_not_know_never_blocks_the_others(self):
        plugin.FIRST_DELAY_SECONDS, before = 0.01, plugin.FIRST_DELAY_SECONDS
        self.addCleanup(setattr, plugin, 'FIRST_DELAY_SECONDS', before)

        def resolve(study):
            if study == '1':
                raise RuntimeError('no answer')
            return '1.2.' + study

        link = FakeLink()
        publisher = self.start(link, resolve)
        publisher.on_stable_study('1')
        publisher.on_stable_study('2')
        self.assertEqual(self.wait_for(link, 1), ['1.2.2'])

    def test_a_full_queue_warns_once(self):
        publisher = plugin.Publisher(memory_queue(2), None, None, None, self.lines.append)
        for study in '123456':
            publisher.on_stable_study(study)
        self.assertEqual(len(self.lines), 1)
        self.assertIn('queue is full', self.lines[0])

    def test_stop_is_quick_without_work_and_bounded_with_the_broker_away(self):
        def refuse():
            raise ConnectionError('refused')

        plugin.FLUSH_SECONDS, before = 0.5, plugin.FLUSH_SECONDS
        self.addCleanup(setattr, plugin, 'FLUSH_SECONDS', before)
        publisher = plugin.Publisher(self.queue, None, refuse, None, self.lines.append)
        publisher.start()
        publisher.on_stable_study('1')
        started = time.monotonic()
        publisher.stop()
        self.assertLess(time.monotonic() - started, 5)
        self.assertIn('1 study event(s) were not published before Orthanc stopped and are lost', self.lines[-1])


class TracesTest(unittest.TestCase):
    """The trace that begins with an event: its header, and the span that an OTLP receiver gets."""

    def setUp(self):
        self.lines = []
        self.requests = []
        outer = self

        class Receiver(http.server.BaseHTTPRequestHandler):
            status = 200

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                outer.requests.append((self.path, dict(self.headers), body))
                self.send_response(Receiver.status)
                self.end_headers()

            def log_message(self, *_arguments):
                pass

        self.receiver = Receiver
        server = http.server.HTTPServer(('127.0.0.1', 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        section = {'AmqpUrl': URL, 'OtlpEndpoint': 'http://127.0.0.1:%d/' % server.server_port, 'OtlpHeaders': {'Authorization': 'Bearer secret'}}
        self.settings, problems = plugin.read_settings({'Hilum': section}, {})
        self.assertEqual(problems, [])

    def publish(self, ratio=1.0, studies=('1',)):
        """The headers of the messages; all spans are sent when it returns."""
        link = FakeLink()
        traces = plugin.Traces('hilum.study', ratio, plugin.otlp_post(self.settings), self.lines.append)
        publisher = plugin.Publisher(memory_queue(10), lambda study: '1.2.' + study, lambda: link, 'AET', self.lines.append, traces=traces)
        publisher.start()
        for study in studies:
            publisher.on_stable_study(study)
        publisher.stop()
        return link.headers

    def spans(self):
        return [span for _path, _headers, body in self.requests for span in body['resourceSpans'][0]['scopeSpans'][0]['spans']]

    def test_the_message_carries_what_the_receiver_gets(self):
        headers = self.publish(studies=('1', '2'))
        spans = self.spans()
        self.assertEqual([header['traceparent'] for header in headers], ['00-%s-%s-01' % (span['traceId'], span['spanId']) for span in spans])
        self.assertEqual(len({span['traceId'] for span in spans}), 2)
        self.assertEqual([span['name'] for span in spans], ['send hilum.study'] * 2)
        for span in spans:
            self.assertRegex(span['traceId'] + span['spanId'], '^[0-9a-f]{48}$')
            self.assertLessEqual(int(span['startTimeUnixNano']), int(span['endTimeUnixNano']))
            self.assertLess(abs(int(span['endTimeUnixNano']) / 1e9 - time.time()), 60)
        said = {one['key']: one['value']['stringValue'] for one in spans[0]['attributes']}
        self.assertEqual((said['hilum.study'], said['messaging.destination.name']), ('1.2.1', 'hilum.study'))
        path, sent, _body = self.requests[0]
        self.assertEqual((path, sent['Content-Type'], sent['Authorization']), ('/v1/traces', 'application/json', 'Bearer secret'))

    def test_a_trace_that_is_not_sent_says_so_to_the_service(self):
        headers = self.publish(ratio=0)
        self.assertRegex(headers[0]['traceparent'], '^00-[0-9a-f]{32}-[0-9a-f]{16}-00$')
        self.assertEqual(self.requests, [])

    def test_a_receiver_that_refuses_holds_nothing_up_and_is_one_line(self):
        self.receiver.status = 503
        headers = self.publish(studies=('1', '2', '3'))
        self.assertEqual(len(headers), 3)
        self.assertEqual(len([line for line in self.lines if 'receiver of traces' in line]), 1)
        self.assertNotIn('secret', ' '.join(self.lines))

    def test_spans_that_nobody_takes_are_bounded(self):
        traces = plugin.Traces('hilum.study', 1.0, None, self.lines.append)
        for _ in range(plugin.SPANS_WAITING + 5):
            traces.published(traces.begin(), '1.2', 0, 0)
        self.assertEqual(len(traces._waiting), plugin.SPANS_WAITING)

    def test_without_a_receiver_no_trace_begins(self):
        link = FakeLink()
        publisher = plugin.Publisher(memory_queue(10), lambda study: study, lambda: link, 'AET', self.lines.append)
        publisher.start()
        publisher.on_stable_study('1')
        publisher.stop()
        self.assertEqual(link.headers, [{}])

if __name__ == '__main__':
    unittest.main()
