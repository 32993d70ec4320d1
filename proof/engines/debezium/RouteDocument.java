import io.debezium.connector.mongodb.transforms.outbox.MongoEventRouter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * What Debezium's outbox event router for MongoDB makes of a document, as the connector hands it over.
 *
 * Arguments: a file of the router's settings (name=value), the document as JSON, and the operation (c, r, d). It prints
 * topic, key, value and headers, one a line, or nothing for what is passed over.
 */
public class RouteDocument {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> settings = new HashMap<>();
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            String[] setting = line.split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        var router = new MongoEventRouter<SourceRecord>();
        router.configure(settings);

        Schema place = SchemaBuilder.struct().name("io.debezium.connector.mongo.Source")
            .field("db", Schema.STRING_SCHEMA).field("collection", Schema.STRING_SCHEMA).build();
        Schema change = SchemaBuilder.struct().name("event.event.outbox_visit_event.Envelope")
            .field("after", SchemaBuilder.string().name("io.debezium.data.Json").optional().build())
            .field("op", Schema.STRING_SCHEMA).field("ts_ms", Schema.INT64_SCHEMA).field("source", place).build();
        Schema id = SchemaBuilder.struct().field("id", Schema.STRING_SCHEMA).build();
        Struct value = new Struct(change).put("after", arguments[1]).put("op", arguments[2]).put("ts_ms", 1L)
            .put("source", new Struct(place).put("db", "event").put("collection", "outbox_visit_event"));
        SourceRecord routed = router.apply(new SourceRecord(Map.of(), Map.of(), "event.event.outbox_visit_event", null,
            id, new Struct(id).put("id", "1"), change, value, 0L));
        if (routed == null) {
            return;
        }
        System.out.println("topic=" + routed.topic());
        System.out.println("key=" + routed.key());
        System.out.println("value=" + routed.value());
        for (Header header : routed.headers()) {
            System.out.println(header.key() + "=" + header.value());
        }
    }
}
