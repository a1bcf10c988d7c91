"""The plug-in's parts without Orthanc and without a broker: /usr/bin/python3 -m unittest discover -s test/plugin"""

import json
import os
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../../plugin/orthanc'))
import hilum_orthanc as plugin  # noqa: E402

URL = 'amqp://hilum:secret@rabbitmq:5672'


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


class QueueTest(unittest.TestCase):
    def test_first_in_first_out_and_each_study_once(self):
        queue = plugin.StudyQueue(10)
        for study in ('a', 'b', 'a'):
            queue.put(study, 1)
        self.assertEqual([queue.take(0), queue.take(0), queue.take(0)], [('a', 1), ('b', 1), None])

    def test_the_oldest_goes_when_it_is_full(self):
        queue = plugin.StudyQueue(2)
        self.assertEqual([queue.put(study, 1) for study in 'abc'], [0, 0, 1])
        self.assertEqual(queue.dropped, 1)
        self.assertEqual([queue.take(0)[0], queue.take(0)[0]], ['b', 'c'])

    def test_news_of_a_study_in_hand_waits_again(self):
        queue = plugin.StudyQueue(2)
        queue.put('a', 1)
        queue.take(0)
        queue.put('a', 2)
        queue.put_back('a', 1)
        self.assertEqual([queue.take(0), queue.take(0)], [('a', 2), None])

    def test_put_back_goes_to_the_front_and_never_over_the_limit(self):
        queue = plugin.StudyQueue(2)
        queue.put('b', 2)
        queue.put_back('a', 1)
        queue.put_back('z', 0)
        self.assertEqual([queue.take(0), queue.take(0), queue.take(0)], [('a', 1), ('b', 2), None])
        self.assertEqual(queue.dropped, 1)

    def test_close_wakes_who_waits(self):
        queue = plugin.StudyQueue(2)
        threading.Timer(0.05, queue.close).start()
        started = time.monotonic()
        self.assertIsNone(queue.take(30))
        self.assertLess(time.monotonic() - started, 10)


class LogGateTest(unittest.TestCase):
    def test_each_kind_once_in_a_while(self):
        now, lines = [0.0], []
        gate = plugin.LogGate(lines.append, 60, lambda: now[0])
        for kind, at in (('a', 0), ('a', 59), ('b', 59), ('a', 61)):
            now[0] = at
            gate.say(kind, '%s%d' % (kind, at))
        self.assertEqual(lines, ['a0', 'b59', 'a61'])

    def test_reset_lets_the_next_one_through(self):
        lines = []
        gate = plugin.LogGate(lines.append, 60, lambda: 0.0)
        gate.say('a', '1')
        gate.reset('a')
        gate.say('a', '2')
        self.assertEqual(lines, ['1', '2'])


class FakeLink:
    """Takes messages; `failures` says what the next calls of publish raise."""

    def __init__(self, failures=()):
        self.failures = list(failures)
        self.bodies = []
        self.closed = 0

    def publish(self, body):
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.bodies.append(json.loads(body))

    def keep_alive(self):
        pass

    def close(self):
        self.closed += 1


class PublisherTest(unittest.TestCase):
    def setUp(self):
        self.lines = []
        self.queue = plugin.StudyQueue(10)

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
        publisher = plugin.Publisher(plugin.StudyQueue(2), None, None, None, self.lines.append)
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
        self.assertIn('1 study event(s) were not published', self.lines[-1])


if __name__ == '__main__':
    unittest.main()
