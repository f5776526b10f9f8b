// java -cp … Segment.java ADDRESS WRITE_KEY
import com.segment.analytics.Analytics;
import com.segment.analytics.Callback;
import com.segment.analytics.messages.AliasMessage;
import com.segment.analytics.messages.GroupMessage;
import com.segment.analytics.messages.IdentifyMessage;
import com.segment.analytics.messages.Message;
import com.segment.analytics.messages.MessageBuilder;
import com.segment.analytics.messages.PageMessage;
import com.segment.analytics.messages.ScreenMessage;
import com.segment.analytics.messages.TrackMessage;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

public class Segment {
  public static void main(String[] args) throws InterruptedException {
    CountDownLatch sent = new CountDownLatch(6);
    Analytics analytics = Analytics.builder(args[1])
        .endpoint(args[0])
        .callback(new Callback() {
          @Override
          public void success(Message message) {
            sent.countDown();
          }

          @Override
          public void failure(Message message, Throwable error) {
            error.printStackTrace();
            System.exit(1);
          }
        })
        .build();
    Map<String, Object> order = Map.of(
        "revenue", 19.9, "currency", "EUR", "products", List.of(Map.of("sku", "a-1", "quantity", 2)));
    MessageBuilder<?, ?>[] calls = {
      IdentifyMessage.builder().messageId("identify-1").traits(Map.of("email", "ada@example.com", "city", "Köln")),
      TrackMessage.builder("Order Completed").messageId("track-1").properties(order),
      PageMessage.builder("Home").messageId("page-1").properties(Map.of("section", "shop")),
      ScreenMessage.builder("Basket").messageId("screen-1").properties(Map.of("items", 2)),
      GroupMessage.builder("team-1").messageId("group-1").traits(Map.of("seats", 5)),
      AliasMessage.builder("ada-0").messageId("alias-1"),
    };
    for (MessageBuilder<?, ?> call : calls) {
      call.userId("ada-1");
      call.anonymousId("5f0c9b1e-7a3d-4f7e-9a41-0d6f0a6f2b11");
      call.timestamp(Date.from(Instant.parse("2025-01-02T03:04:05.678Z")));
      call.context(Map.of("locale", "de-AT"));
      analytics.enqueue(call);
    }
    analytics.flush();
    sent.await();
    analytics.shutdown();
    System.exit(0);
  }
}
