import type { HttpOptions } from '../../net/http';
import { Receiver } from '../../net/receiver';

/** Posts JSON to one URL; fits the port of `sinks/webhook/sink` by shape. Any 2xx is success; redirects are refused. */
export class WebhookClient {
  private readonly receiver: Receiver;
  private readonly url: string;

  /** @throws HilumError CONFIG_INVALID for unreadable TLS files. */
  constructor({ url, ...http }: HttpOptions & { readonly url: string }) {
    this.receiver = new Receiver(http, 'the webhook');
    this.url = url;
  }

  /**
   * @throws HilumError RECEIVER_*, transient for 408, 429 (with its Retry-After) and 5xx, permanent for any other
   * status
   */
  async post(body: string, headers: Record<string, string>): Promise<void> {
    await this.receiver.send(
      this.url,
      { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: Buffer.from(body) },
      async (answer) => {
        if (answer.status < 200 || answer.status > 299) throw this.receiver.statusError('take a result', answer);
      },
    );
  }

  /**
   * For `hilum doctor`: HEAD, so that the receiver does nothing. Any response but a refused sign-in is fine, as many
   * accept POST only.
   */
  async probe(): Promise<void> {
    await this.receiver.send(this.url, { method: 'HEAD', headers: {} }, async (answer) => {
      if ([401, 403].includes(answer.status) || answer.status >= 500) throw this.receiver.statusError('look', answer);
    });
  }

  close(): Promise<void> {
    return this.receiver.close();
  }
}
